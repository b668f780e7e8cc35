"""What a class sees: joining, who is there, the board, the queue and the projector."""
