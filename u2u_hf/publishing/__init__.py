"""What others get: ONNX exports, cards, Spaces."""
