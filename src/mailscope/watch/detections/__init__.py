"""The detections, one per file; ``registry.py`` names them all."""
