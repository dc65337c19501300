// The parts of the smoke test that have a file of their own.
#pragma once

namespace lamina {

// What a thread of the team may be held to.
void check_team();
// When a training does without the others.
void check_thread_choice();

// Verbs by themselves, on the instruction set in force, over matrices of two tiles.
void check_activations();
void check_sample_verbs();
void check_weight_verbs();
void check_loss_verbs();
void check_bfloat16_verbs();

// The same and more on an emulated GPU.
void check_device_verbs();
void check_device_training();

// Trainings by an emulated GPU itself, in one kernel for many steps.
void check_stacks();

// A training with every layer and every option of the optimizers.
void check_surface(const char* backend);

}  // namespace lamina
