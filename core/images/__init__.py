"""Finding image files, decoding them safely, keeping the pixels that training sees."""
