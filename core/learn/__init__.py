"""What learns: one step, the engine around it, what a run keeps."""
