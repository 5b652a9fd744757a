"""The published experiments once more: train what is missing, measure, and set it beside the paper."""
