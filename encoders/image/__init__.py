"""The image side: backbones, preprocessing, regions."""
