"""Keep the views as the session says, and pass on to the controllers what is done there."""
