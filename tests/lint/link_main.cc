// Linked with one whole library each: what the library needs beyond its declared dependencies stays undefined.
int main() { return 0; }
