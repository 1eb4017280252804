#include "apps/agent/memory.hpp"

#include <cstdint>
#include <string_view>

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace harmony {

namespace {

/// The loader tells addresses as numbers.
void* at(std::uintptr_t address) {
  return reinterpret_cast<void*>(address); // NOLINT(performance-no-int-to-ptr)
}

/// Whether the loader wrote into read-only segments of this object (relocations in the text): then
/// they are not as in the file.
bool has_text_relocations(const dl_phdr_info& object) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const auto& header = object.dlpi_phdr[i];
    if (header.p_type != PT_DYNAMIC)
      continue;
    const auto* entry = static_cast<const ElfW(Dyn)*>(at(object.dlpi_addr + header.p_vaddr));
    for (; entry->d_tag != DT_NULL; ++entry)
      if (entry->d_tag == DT_TEXTREL
          || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0))
        return true;
  }
  return false;
}

/// Unmaps the pages of the object's read-only segments; they are backed by its file.
int drop_pages(dl_phdr_info* object, std::size_t, void*) {
  // The kernel's own vDSO has no file; a program that is not position-independent has address 0.
  const bool in_a_file = std::string_view{object->dlpi_name}.rfind("linux-vdso", 0) != 0
                         && !has_text_relocations(*object);
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; in_a_file && i < object->dlpi_phnum; ++i) {
    const auto& header = object->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0)
      continue;
    const auto begin = (object->dlpi_addr + header.p_vaddr) & ~(page - 1);
    const auto end = object->dlpi_addr + header.p_vaddr + header.p_memsz;
    // Best effort: a kernel that refuses leaves everything as it was.
    (void)madvise(at(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

} // namespace

void give_back_startup_memory() {
  malloc_trim(0);
  dl_iterate_phdr(drop_pages, nullptr);
}

} // namespace harmony
