# What is installed beside the programs (those are installed by harmony_program). DESTDIR is honoured.
set(HARMONY_CONFIG_DIR "/etc/harmony-agent" CACHE PATH "Where the agent reads agent.toml by default")

# The units name the programs' place, which is known only when installing (cmake --install --prefix).
install(CODE "
  foreach(manager system user)
    set(folder \"${CMAKE_SOURCE_DIR}/config/systemd\")
    if(manager STREQUAL \"user\")
      string(APPEND folder \"/user\")
    endif()
    file(GLOB units \"\${folder}/*.service\")
    foreach(unit \${units})
      file(READ \"\${unit}\" text)
      string(REPLACE \"/usr/bin/harmony-\"
                     \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/harmony-\" text \"\${text}\")
      string(REPLACE \"/etc/harmony-agent\" \"${HARMONY_CONFIG_DIR}\" text \"\${text}\")
      cmake_path(GET unit FILENAME name)
      set(made \"${CMAKE_BINARY_DIR}/install/\${manager}/\${name}\")
      file(WRITE \"\${made}\" \"\${text}\")
      file(INSTALL \"\${made}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/\${manager}\")
    endforeach()
  endforeach()")

# Configuration belongs to the administrator: an existing one is never overwritten.
install(CODE "
  set(target \"\$ENV{DESTDIR}${HARMONY_CONFIG_DIR}/agent.toml\")
  if(NOT EXISTS \"\${target}\" AND EXISTS \"${CMAKE_SOURCE_DIR}/config/agent.toml\")
    file(INSTALL \"${CMAKE_SOURCE_DIR}/config/agent.toml\" DESTINATION \"${HARMONY_CONFIG_DIR}\")
  endif()")

install(DIRECTORY "${CMAKE_SOURCE_DIR}/config/schema" DESTINATION "${CMAKE_INSTALL_DATADIR}/harmony-agent"
        OPTIONAL FILES_MATCHING PATTERN "*.json")
install(DIRECTORY "${CMAKE_SOURCE_DIR}/config/manifests/" DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" OPTIONAL)
install(FILES "${CMAKE_SOURCE_DIR}/config/systemd/no-packages.conf" DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" OPTIONAL)
file(GLOB pages CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/docs/man/*.[1-8]")
foreach(page ${pages})
  string(REGEX MATCH "[1-8]$" section "${page}")
  install(FILES "${page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
endforeach()
