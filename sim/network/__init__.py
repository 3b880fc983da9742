"""Who supplies whom: the network, its checks, its fixed points and its statistics."""
