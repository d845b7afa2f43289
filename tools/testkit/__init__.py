"""What tools and tests share: virtual time, a port in memory, a real `hass` process to drive."""
