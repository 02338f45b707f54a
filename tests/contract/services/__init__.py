"""What must stay true of every service alike."""
