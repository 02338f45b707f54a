"""What a one-machine stack decides before anything is started."""
