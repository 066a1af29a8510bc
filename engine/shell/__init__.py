"""The shell: time, processes and the network. It spends what the core decides."""
