// Keeps the library target valid until its first source lands.
