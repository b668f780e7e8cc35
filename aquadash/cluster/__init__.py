"""More than one machine: loaded where a scheduler is named, or a command asks for it. Nothing else needs it."""
