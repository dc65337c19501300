"""The parts of `lamina.ops`, one file per noun; import them from `lamina.ops`."""
