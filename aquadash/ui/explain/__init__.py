"""Why a network answers so, on Evaluate and on Predict."""
