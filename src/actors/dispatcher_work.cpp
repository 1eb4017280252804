#include "actors/dispatcher_work.hpp"

namespace harmony {

operation_work fetch_ahead(std::shared_ptr<const supervisor_services> services, driver& of_kind,
                           desired<resource_spec> want) {
  return [services = std::move(services), &of_kind,
          want = std::move(want)](std::stop_token stop, instant deadline) -> operation_answer {
    const logged_operation entry{services->log, want.id, true};
    op_context context{services->agent, *services->owned, std::move(stop), deadline};
    if (auto done = of_kind.fetch(want, context); !done)
      return done.error();
    return operation_done{};
  };
}

operation_work take_back(std::shared_ptr<const supervisor_services> services,
                         std::shared_ptr<driver> driver, search_for search,
                         std::shared_ptr<const target_set> named) {
  return [services = std::move(services), driver = std::move(driver), search,
          named = std::move(named)](std::stop_token stop, instant deadline) -> operation_answer {
    op_context context{services->agent, *services->owned, std::move(stop), deadline};
    const auto found = ((*driver).*search)(context);
    if (!found)
      return found.error();
    for (const auto& each : *found)
      if (named->count({each.owner, each.target}) == 0
          && !services->owned->find(each.owner, each.target))
        if (auto claimed = services->owned->claim(each);
            !claimed && claimed.error().code != ec::name_conflict)
          return claimed.error();
    return operation_done{};
  };
}

} // namespace harmony
