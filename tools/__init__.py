"""What development needs: a simulated BMS, tests of endurance, measurements, a demo."""
