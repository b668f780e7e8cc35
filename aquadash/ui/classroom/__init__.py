"""What a class sees: joining, who is there, the board and the queue."""
