"""Every capability as a command; ``app`` declares them, ``commands`` does them."""
