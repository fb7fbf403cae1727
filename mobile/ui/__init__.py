"""The screens: a thin Kivy layer over the view-models."""
