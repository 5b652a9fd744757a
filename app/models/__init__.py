"""What the window knows: the session and the lists it shows."""
