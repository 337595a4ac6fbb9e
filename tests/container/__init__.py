"""The product as its users run it: the image, on a real engine, in the hands of real runners."""
