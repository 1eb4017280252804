#pragma once

namespace harmony {

/// Gives back what only the start needed: free heap pages to the kernel, and the mapping of code
/// and constants, most of which ran once. Nothing is lost: what is used again is mapped again from
/// the page cache, without reading the disk.
void give_back_startup_memory();

} // namespace harmony
