"""Where networks run: devices, precision, checkpoints, compiled networks, memory."""
