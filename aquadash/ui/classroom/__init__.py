"""The pages of a class: joining, people, board and queue."""
