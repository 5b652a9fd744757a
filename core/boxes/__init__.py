"""From a heat map to boxes: the rules, several objects, scores."""
