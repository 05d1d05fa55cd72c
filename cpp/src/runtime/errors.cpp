// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/errors.hpp"

#include <sstream>

namespace hrixs {

std::string text(double number) {
    std::ostringstream stream;
    stream << number;
    return stream.str();
}

NonFinitePixels::NonFinitePixels(Index frame, Index count)
    : std::invalid_argument("frame " + std::to_string(frame) + " has " +
                            (count > 0 ? std::to_string(count) + " pixels that are NaN or infinite"
                                       : std::string("pixels that are too large to add up")) +
                            "; expected finite pixels. Mark bad pixels with mask=, an (x, y) array "
                            "that is True where "
                            "a pixel is bad.") {}

TooManyPhotons::TooManyPhotons(Index frame, Index count, Index max_photons,
                               const std::string& criterion)
    : std::runtime_error("frame " + std::to_string(frame) + " has " + std::to_string(count) +
                         " hits, " + criterion +
                         "; expected at most max_photons = " + std::to_string(max_photons) +
                         ". Raise the threshold, load a dark, or at high flux integrate the "
                         "frames; raise max_photons only if so many photons are real.") {}

} // namespace hrixs
