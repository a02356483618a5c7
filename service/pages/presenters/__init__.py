"""What pages show: documents put into the order and the words of a person. Templates decide nothing."""
