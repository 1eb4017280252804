#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "topology/http_client.hpp"
#include "topology/podman_codec.hpp"

namespace harmony {

namespace {

using nlohmann::json;

std::string frame(int stream, const std::string& text) {
  std::string head(8, '\0');
  head[0] = static_cast<char>(stream);
  head[6] = static_cast<char>(text.size() >> 8U);
  head[7] = static_cast<char>(text.size() & 0xFFU);
  return head + text;
}

std::string error_body(const std::string& message) {
  return json{{"cause", "x"}, {"message", message}, {"response", 500}}.dump();
}

} // namespace

TEST_CASE("podman codec: a full spec -> every field in the creation") {
  container_spec spec;
  spec.image = "registry/app@sha256:0";
  spec.entrypoint = {"/bin/sh", "-c"};
  spec.command = {"run"};
  spec.env = {{"A", "b c"}};
  spec.ports = {{8080, 80, transport_protocol::tcp, {}},
                {53, 5353, transport_protocol::udp, "127.0.0.1"}};
  spec.mounts = {{mount_type::bind, "/srv", "/data", true},
                 {mount_type::volume, "vol", "/vol", false},
                 {mount_type::tmpfs, {}, "/tmp", false}};
  spec.user = "1000:1001";
  spec.network = "backend";
  spec.working_dir = "/data";
  spec.memory = 64 << 20;
  spec.pids_limit = 32;
  const auto body = json::parse(podman::create_body("harmony-app", spec, {{"l", "v"}}));
  CHECK(body == json::parse(R"({
    "name": "harmony-app", "image": "registry/app@sha256:0", "labels": {"l": "v"},
    "restart_policy": "no", "entrypoint": ["/bin/sh", "-c"], "command": ["run"],
    "env": {"A": "b c"}, "user": "1000:1001", "work_dir": "/data",
    "portmappings": [{"host_port": 8080, "container_port": 80, "protocol": "tcp"},
                     {"host_port": 53, "container_port": 5353, "protocol": "udp",
                      "host_ip": "127.0.0.1"}],
    "mounts": [{"type": "bind", "source": "/srv", "destination": "/data",
                "options": ["rbind", "ro"]},
               {"type": "tmpfs", "destination": "/tmp", "options": ["rw"]}],
    "volumes": [{"Name": "vol", "Dest": "/vol", "Options": ["rw"]}],
    "netns": {"nsmode": "bridge"}, "Networks": {"backend": {}},
    "resource_limits": {"memory": {"limit": 67108864}, "pids": {"limit": 32}}})"));
}

TEST_CASE("podman codec: an empty spec -> the image's and the runtime's defaults") {
  container_spec spec;
  spec.image = "i";
  const auto body = json::parse(podman::create_body("n", spec, {}));
  for (const auto* key :
       {"entrypoint", "command", "user", "work_dir", "netns", "Networks", "resource_limits"})
    CHECK_FALSE(body.contains(key));
  spec.network = GENERATE("host", "none", "bridge");
  const auto named = json::parse(podman::create_body("n", spec, {}));
  CHECK(named["netns"]["nsmode"] == spec.network);
  CHECK_FALSE(named.contains("Networks"));
}

TEST_CASE("podman codec: env that is not UTF-8 -> still a document") {
  container_spec spec;
  spec.env = {{"A", "\xff\xfe"}};
  CHECK(json::accept(podman::create_body("n", spec, {})));
}

TEST_CASE("podman codec: a time with any offset -> UTC in milliseconds") {
  CHECK(podman::utc_time("2026-11-23T09:17:19.86291029Z") == "2026-11-23T09:17:19.862Z");
  CHECK(podman::utc_time("2026-11-23T10:17:19.86291029+01:00") == "2026-11-23T09:17:19.862Z");
  CHECK(podman::utc_time("2026-12-31T20:30:00-05:30") == "2027-01-01T02:00:00.000Z");
  CHECK(podman::utc_time("2024-02-29T00:00:00.5Z") == "2024-02-29T00:00:00.500Z");
  CHECK(podman::utc_time("0001-01-01T00:00:00Z").empty());
  for (const auto* text : {"", "2026", "2026-13-01T00:00:00Z", "2026-11-23T09:17:19", "2026-11-23",
                           "2026-11-23T09:17:19+1", "x026-11-23T09:17:19Z"})
    CHECK(podman::utc_time(text).empty());
}

TEST_CASE("podman codec: an inspect answer -> what is known of the container") {
  const auto info = podman::read_inspect(R"({"Id":"abc","Name":"harmony-x",
    "Image":"60","ImageName":"localhost/x:1","Config":{"Labels":{"k":"v"}},
    "State":{"Status":"exited","Pid":0,"ExitCode":3,"OOMKilled":true,
             "StartedAt":"2026-11-23T09:17:19.86Z","FinishedAt":"2026-11-23T09:17:20.85Z"}})");
  REQUIRE(info);
  container_info expected;
  expected.id = "abc";
  expected.name = "harmony-x";
  expected.image = "localhost/x:1";
  expected.image_id = "sha256:60";
  expected.labels = {{"k", "v"}};
  expected.status = container_status::exited;
  expected.started = "2026-11-23T09:17:19.860Z";
  expected.finished = "2026-11-23T09:17:20.850Z";
  expected.exit_code = 3;
  expected.out_of_memory = true;
  CHECK(*info == expected);
}

TEST_CASE("podman codec: each state word -> one status") {
  const std::vector<std::pair<std::string, container_status>> words{
    {"running", container_status::running},     {"stopping", container_status::running},
    {"created", container_status::created},     {"configured", container_status::created},
    {"initialized", container_status::created}, {"exited", container_status::exited},
    {"stopped", container_status::exited},      {"paused", container_status::paused},
    {"removing", container_status::broken},     {"", container_status::broken}};
  for (const auto& [word, status] : words) {
    const auto info = podman::read_inspect(R"({"Id":"a","State":{"Status":")" + word + R"("}})");
    REQUIRE(info);
    CHECK(info->status == status);
  }
}

TEST_CASE("podman codec: a list answer -> one line a container") {
  const auto list = podman::read_list(R"([{"Id":"a","Names":["harmony-x"],"Image":"i:1",
    "ImageID":"60","Labels":{"k":"v"},"State":"running","Pid":238,"StartedAt":1795425439,
    "ExitedAt":-62135596800,"ExitCode":0}])");
  REQUIRE(list);
  REQUIRE(list->size() == 1);
  CHECK(list->front().name == "harmony-x");
  CHECK(list->front().pid == 238);
  CHECK(list->front().started == "2026-11-23T09:17:19.000Z");
  CHECK(list->front().finished.empty());
  CHECK(podman::read_list("[]")->empty());
  CHECK(podman::read_list("null")->empty());
}

TEST_CASE("podman codec: a command -> its arguments as they are, both outputs, no input") {
  const auto body = json::parse(podman::exec_body({"/bin/sh", "-c", "echo \"$A\""}));
  CHECK(body == json::parse(R"({"Cmd": ["/bin/sh", "-c", "echo \"$A\""],
                               "AttachStdout": true, "AttachStderr": true})"));
  CHECK(json::accept(podman::exec_body({"\xff"})));
}

TEST_CASE("podman codec: an answer about a command -> how it stands") {
  CHECK(podman::read_exec(R"({"Running":true,"Pid":270,"ExitCode":0})")
        == podman::exec_session{true, 270, 0});
  CHECK(podman::read_exec(R"({"Running":false,"Pid":0,"ExitCode":3})")
        == podman::exec_session{false, 0, 3});
  for (const auto* text : {"", "{", "7", "{}", "[]", R"({"Running":1})", "\xff"})
    CHECK_FALSE(podman::read_exec(text));
}

TEST_CASE("podman codec: frames of output -> their bytes, also of one cut off") {
  const auto all = frame(1, "out\n") + frame(2, "err") + frame(1, std::string(300, 'x'));
  CHECK(podman::read_frames(all) == "out\nerr" + std::string(300, 'x'));
  for (std::size_t size = 0; size < all.size(); ++size) {
    const auto part = podman::read_frames(all.substr(0, size));
    CHECK(part == podman::read_frames(all).substr(0, part.size()));
  }
  CHECK(podman::read_frames("HTTP/1.1 500").empty());
}

TEST_CASE("podman codec: anything else -> nothing, no exception") {
  for (const auto* text : {"", "{", "7", R"("x")", R"({"Id":7})", R"({"Id":""})", "\xff", "[[[["}) {
    INFO(text);
    CHECK_FALSE(podman::read_inspect(text));
    CHECK_FALSE(podman::read_event(text));
    CHECK_FALSE(podman::read_id(text));
    CHECK_FALSE(podman::read_pull("i", text));
  }
  for (const auto* text : {"", "{", "7", "{}", "\xff"})
    CHECK_FALSE(podman::read_list(text));
  CHECK(podman::read_list("[7,null,{\"Names\":[7],\"Pid\":\"x\"}]")->size() == 3);
}

TEST_CASE("podman codec: an event -> container, what and id; others -> nothing") {
  CHECK(podman::read_event(R"({"Type":"container","Action":"died",
    "Actor":{"ID":"f","Attributes":{"name":"harmony-x","containerExitCode":"3"}}})")
        == container_event{"harmony-x", "died", "f"});
  CHECK_FALSE(podman::read_event(R"({"Type":"image","Action":"pull",
    "Actor":{"Attributes":{"name":"i"}}})"));
  CHECK_FALSE(podman::read_event(R"({"Type":"container","Action":"died"})"));
}

TEST_CASE("podman codec: a pull's stream -> the id, or why not") {
  const auto good = podman::read_pull("i:1", "{\"stream\":\"Trying\\n\"}\n"
                                             "{\"images\":[\"60\"],\"id\":\"60\"}\n");
  REQUIRE(good);
  CHECK(*good == "sha256:60");

  const auto fails = [](const std::string& words) {
    const auto result =
      podman::read_pull("r/i:1", "{\"stream\":\"Trying\\n\"}\n" + json{{"error", words}}.dump());
    REQUIRE_FALSE(result);
    CHECK(result.error().message.find("'r/i:1'") != std::string::npos);
    CHECK(result.error().message.find(words) != std::string::npos);
    return result.error().code;
  };
  CHECK(fails("reading manifest 2 in r/i: manifest unknown: manifest unknown")
        == ec::image_not_found);
  CHECK(fails("name unknown: repository name not known to registry") == ec::image_not_found);
  CHECK(fails("dial tcp 127.0.0.1:5: connect: connection refused") == ec::image_pull_failed);
  CHECK(fails("unauthorized: authentication required") == ec::image_pull_failed);
  CHECK(podman::read_pull("i", "{\"stream\":\"Trying\\n\"}\n").error().code
        == ec::image_pull_failed);
}

TEST_CASE("podman codec: log frames -> the end of the text, bounded") {
  const auto frames = frame(1, "one\n") + frame(2, "two\n") + frame(1, "three");
  CHECK(podman::read_logs(frames, 512) == "one\ntwo\nthree");
  CHECK(podman::read_logs(frames, 10) == "two\nthree");
  CHECK(podman::read_logs(frames, 9) == "three");
  CHECK(podman::read_logs(frames, 3) == "ree");
  CHECK(podman::read_logs(frame(1, "\xc3\xa4\xc3\xb6"), 3) == "\xc3\xb6");
  CHECK(podman::read_logs({}, 512).empty());
  CHECK(podman::read_logs(frames.substr(0, 10), 512) == "on");
  CHECK(podman::read_logs("plain text, no frames", 512).empty());
}

TEST_CASE("podman codec: error answers -> the reason by podman's words") {
  const auto code = [](const std::string& words, int status = 500) {
    return podman::classify("cannot start container 'x'", status, error_body(words)).code;
  };
  CHECK(code("nope:1: image not known") == ec::image_not_found);
  CHECK(code("creating container storage: the container name \"x\" is already in use by f42b. You "
             "have to remove that container to be able to reuse that name: that name is already in "
             "use")
        == ec::name_conflict);
  CHECK(code("crun: executable file `/bin/nope` not found") == ec::container_failed);
  CHECK(code("unable to find network with name or ID nonet: network not found")
        == ec::container_failed);
  CHECK(code("no container with name or ID \"x\" found: no such container", 404) == ec::not_found);
  CHECK(code("unable to find user nope: no matching entries in passwd file") == ec::no_such_user);
  CHECK(code("write /x: no space left on device") == ec::disk_full);
  CHECK(code("mkdir /x: read-only file system") == ec::read_only);
}

TEST_CASE("podman codec: a taken port -> port_in_use naming the port") {
  const auto why =
    podman::classify("cannot start container 'x'", 500,
                     error_body("cannot listen on the TCP port: listen tcp4 :8099: bind: address "
                                "already in use"));
  CHECK(why.code == ec::port_in_use);
  CHECK(why.message.find("port 8099 is taken") != std::string::npos);
  const auto bound = podman::classify(
    "x", 500, error_body("listen tcp4 127.0.0.1:80: bind: address already in use"));
  CHECK(bound.message.find("port 80 is taken") != std::string::npos);
  const auto unnamed = podman::classify("x", 500, error_body("rootlessport: it is taken"));
  CHECK(unnamed.code == ec::port_in_use);
}

TEST_CASE("podman codec: a long error -> one line of bounded length, whole characters") {
  std::string words = "first\nsecond ";
  while (words.size() < 1000)
    words += "\xc3\xa4";
  const auto text = podman::read_error(error_body(words));
  CHECK(text.size() <= 300);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(json::accept(json(text).dump()));
}

TEST_CASE("http client: what is not plain -> percent-encoded") {
  CHECK(percent_encode("127.0.0.1:5000/a_b-c~d@sha256:0")
        == "127.0.0.1%3A5000%2Fa_b-c~d%40sha256%3A0");
  CHECK(percent_encode("\xff{\"}") == "%FF%7B%22%7D");
}

TEST_CASE("http client: no socket there -> runtime_unavailable with the remedy") {
  http_request ask;
  ask.method = "GET";
  ask.target = "/";
  const auto answer =
    http_call("/nonexistent/podman.sock", ask, {}, "podman", "start it with systemctl");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ec::runtime_unavailable);
  CHECK(answer.error().message.find("'/nonexistent/podman.sock': No such file")
        != std::string::npos);
  CHECK(answer.error().message.find("systemctl") != std::string::npos);
}

} // namespace harmony
