// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/index.hpp"

#include <stdexcept>
#include <string>

namespace hrixs {

// A number for the text of an error, with six significant digits.
std::string text(double number);

// Preconditions of the algorithms. Text: what was given, what was expected, what to do.

struct ShapeError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

struct ParameterError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

struct NonFinitePixels : std::invalid_argument {
    NonFinitePixels(Index frame, Index count);
};

struct TooManyPhotons : std::runtime_error {
    TooManyPhotons(Index frame, Index count, Index max_photons, const std::string& criterion);
};

// Thrown if the interrupt check of the caller returns true.
struct Interrupted : std::exception {
    const char* what() const noexcept override { return "interrupted"; }
};

} // namespace hrixs
