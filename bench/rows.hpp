#pragma once

// What agent_bench measures, a function each; every one prints its rows.

namespace harmony::bench {

// apply_rows.cpp: from the write of a desired state until Converged.
void start_row();
void file_row();
void unit_row();
void container_row();
void many_row();

// batch_rows.cpp: many units in one desired state.
void chain_row();
void batch_row();

// drift_rows.cpp: what is done behind the agent's back.
void drift_row();
void drift_any_row();
void drift_lost_row();

// hang_rows.cpp: applies that never end.
void hang_one_row();
void hang_all_row();

// verify_rows.cpp: a manifest that is signed.
void verify_row();

// idle_rows.cpp: what an agent with nothing to do costs.
void idle_row();
void idle_full_row();

} // namespace harmony::bench
