// What the state database remembers of jobs and links, after a disk that lies.

#include "fuzz.hpp"
#include "reconcilers/network_record.hpp"
#include "reconcilers/shell_job_record.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  const auto link = from_note(std::string{bytes});
  require(from_note(to_note(link)) == link, "a link's record survives writing and reading");
  if (const auto job = read_job_record(bytes))
    require(read_job_record(write_job_record(*job)) == *job,
            "a job's record survives writing and reading");

  const auto tail = tail_as_text(bytes, 16);
  require(tail.size() <= 16, "the end of an output is as long as asked for");
  last_line(bytes);
  job_record named;
  named.desire = bytes;
  require(read_job_record(write_job_record(named)).has_value(), "any record can be written");
  network_record foreign;
  foreign.own.members = {std::string{bytes}};
  require(!from_note(to_note(foreign)).own.empty(), "any record can be written");
}

} // namespace harmony::fuzz
