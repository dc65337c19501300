"""What `keras.saving` is made of: objects to dictionaries, models to files, and back."""
