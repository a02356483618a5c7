"""What the API and the pages share: the parts of a request, the door, headers, errors and documents."""
