"""The window: Qt widgets over :mod:`core`. No arithmetic on images or models lives here."""
