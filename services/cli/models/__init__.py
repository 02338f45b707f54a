"""Commands about models: the build, slots, engines."""
