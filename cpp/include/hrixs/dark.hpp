// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hrixs/frames.hpp"

#include <variant>

namespace hrixs {

// A dark image in the type in which it was given, not owned.
class Dark {
  public:
    Dark(const ImageView<float>& image) : image_(image) {}
    Dark(const ImageView<double>& image) : image_(image) {}

    Index nx() const {
        return std::visit([](const auto& image) { return image.nx; }, image_);
    }
    Index ny() const {
        return std::visit([](const auto& image) { return image.ny; }, image_);
    }
    double operator()(Index x, Index y) const {
        if (const auto* image = std::get_if<ImageView<float>>(&image_))
            return static_cast<double>((*image)(x, y));
        return (*std::get_if<ImageView<double>>(&image_))(x, y);
    }
    // work(ImageView<float or double>)
    template <class Work> auto visit(Work work) const { return std::visit(work, image_); }

  private:
    std::variant<ImageView<float>, ImageView<double>> image_;
};

} // namespace hrixs
