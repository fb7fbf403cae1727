"""Reading, weighing and storing what business systems bring; their keys."""
