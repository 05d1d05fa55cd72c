// SPDX-License-Identifier: BSD-3-Clause
#include "array_output.hpp"
#include "dtype_dispatch.hpp"
#include "hrixs/cell_medians.hpp"
#include "hrixs/frame_counts.hpp"
#include "hrixs/pixel_statistics.hpp"
#include "hrixs/square_maxima.hpp"
#include "interrupt.hpp"

#include <pybind11/stl.h>

#include <optional>
#include <vector>

namespace hrixs::bindings {

namespace {

py::dict values_to_python(const std::vector<FrameCounts>& frames,
                          ValueCounts FrameCounts::* which) {
    const auto column = [&](auto member) {
        std::vector<std::decay_t<decltype((frames[0].*which).*member)>> values;
        values.reserve(frames.size());
        for (const FrameCounts& frame : frames)
            values.push_back((frame.*which).*member);
        return to_array(std::move(values));
    };
    std::vector<std::int64_t> counts;
    for (const FrameCounts& frame : frames)
        counts.insert(counts.end(), (frame.*which).counts.begin(), (frame.*which).counts.end());
    py::dict result;
    result["n"] = column(&ValueCounts::n);
    result["lowest"] = column(&ValueCounts::lowest);
    result["highest"] = column(&ValueCounts::highest);
    result["median"] = column(&ValueCounts::median);
    result["lower"] = column(&ValueCounts::lower);
    result["level"] = column(&ValueCounts::level);
    result["noise"] = column(&ValueCounts::noise);
    result["first_edge"] = column(&ValueCounts::first_edge);
    result["bin_width"] = column(&ValueCounts::bin_width);
    result["counts"] = to_array(std::move(counts), {static_cast<Index>(frames.size()), count_bins});
    return result;
}

py::tuple count(const py::array& frames, const std::optional<py::array>& dark,
                const std::optional<py::array>& mask, double step, int threads, Index first_frame,
                bool squares) {
    const CameraCorrection camera = camera_from(dark, mask);
    return with_frames(frames, first_frame, [&](const auto& stack) {
        const std::vector<FrameCounts> counts =
            without_gil(threads, [&](const Execution& execution) {
                return count_frames(stack, camera, step, execution, squares);
            });
        return py::make_tuple(values_to_python(counts, &FrameCounts::pixels),
                              values_to_python(counts, &FrameCounts::squares));
    });
}

// What is written to: as it lies in memory, row by row.
template <class T>
void require_image_of(const py::array_t<T>& image, const char* name, Index nx, Index ny) {
    constexpr int as_it_lies = py::array::c_style;
    if (image.ndim() != 2 || image.shape(0) != nx || image.shape(1) != ny ||
        (image.flags() & as_it_lies) == 0 || !image.writeable())
        throw py::value_error(std::string(name) + " can't be added to, expected an array of the "
                                                  "frames' shape, in C order, that is writable.");
}

py::dict statistics(const py::array& frames, const std::vector<double>& offsets, double n_sigma,
                    double least_noise, const std::optional<py::array>& reference,
                    const std::optional<py::array>& limit,
                    const std::optional<py::array_t<double>>& total,
                    const std::optional<py::array_t<std::int32_t>>& n_kept, bool medians,
                    int threads) {
    PixelLimits limits{n_sigma, least_noise};
    limits.with_medians = medians;
    if (reference)
        limits.reference = image_from<double>(*reference, "reference");
    if (limit)
        limits.limit = image_from<double>(*limit, "limit");
    return with_frames(frames, 0, [&](const auto& stack) {
        PixelSums sums;
        if (total && n_kept) {
            require_image_of(*total, "total", stack.first.nx, stack.first.ny);
            require_image_of(*n_kept, "n_kept", stack.first.nx, stack.first.ny);
            sums = {py::array_t<double>(*total).mutable_data(),
                    py::array_t<std::int32_t>(*n_kept).mutable_data()};
        }
        PixelStatistics found = without_gil(threads, [&](const Execution& execution) {
            return pixel_statistics(stack, offsets, limits, execution, sums);
        });
        const std::vector<Index> shape{stack.first.nx, stack.first.ny};
        py::dict result;
        if (!limits.reference) {
            result["noise"] = to_array(std::move(found.noise), shape);
        }
        if (!limits.reference && medians) {
            result["median"] = to_array(std::move(found.median), shape);
            result["lower_noise"] = to_array(std::move(found.lower_noise), shape);
        }
        if (sums.total) {
            result["total"] = *total;
            result["n_kept"] = *n_kept;
        } else {
            result["total"] = to_array(std::move(found.total), shape);
            result["n_kept"] = to_array(std::move(found.n_kept), shape);
        }
        result["n_left_out"] = to_array(std::move(found.n_left_out));
        return result;
    });
}

py::dict maxima(const py::array& frames, const std::vector<double>& thresholds,
                const std::optional<py::array>& dark, const std::optional<py::array>& mask,
                int threads, Index first_frame) {
    const CameraCorrection camera = camera_from(dark, mask);
    return with_frames(frames, first_frame, [&](const auto& stack) {
        SquareMaxima found = without_gil(threads, [&](const Execution& execution) {
            return square_maxima(stack, camera, thresholds, execution);
        });
        py::dict result;
        result["frame"] = to_array(std::move(found.frame));
        result["x"] = to_array(std::move(found.x));
        result["y"] = to_array(std::move(found.y));
        result["height"] = to_array(std::move(found.height));
        result["brightest_x"] = to_array(std::move(found.brightest_x));
        result["brightest_y"] = to_array(std::move(found.brightest_y));
        return result;
    });
}

py::tuple medians(const py::array& image, Index size_x, Index size_y,
                  const std::vector<double>& less_of_y, const std::vector<double>& less_of_x,
                  int threads) {
    const ImageView<double> view = image_from<double>(image, "image");
    CellMedians found = without_gil(threads, [&](const Execution& execution) {
        return cell_medians(view, {size_x, size_y, less_of_y, less_of_x}, execution);
    });
    return py::make_tuple(to_array(std::move(found.median)), to_array(std::move(found.n)));
}

} // namespace

} // namespace hrixs::bindings

void bind_counts(pybind11::module_& module) {
    namespace py = pybind11;
    using namespace hrixs::bindings;
    module.def("count_frames", &count, py::arg("frames"), py::kw_only(), py::arg("dark"),
               py::arg("mask"), py::arg("step"), py::arg("threads"), py::arg("first_frame") = 0,
               py::arg("squares") = true);
    module.def(
        "pixel_statistics", &statistics, py::arg("frames"), py::kw_only(), py::arg("offsets"),
        py::arg("n_sigma") = 0.0, py::arg("least_noise") = 0.0, py::arg("reference") = py::none(),
        py::arg("limit") = py::none(), py::arg("total").noconvert() = py::none(),
        py::arg("n_kept").noconvert() = py::none(), py::arg("medians") = true, py::arg("threads"));
    module.def("square_maxima", &maxima, py::arg("frames"), py::kw_only(), py::arg("thresholds"),
               py::arg("dark"), py::arg("mask"), py::arg("threads"), py::arg("first_frame") = 0);
    module.def("cell_medians", &medians, py::arg("image"), py::kw_only(), py::arg("size_x"),
               py::arg("size_y"), py::arg("less_of_y"), py::arg("less_of_x"), py::arg("threads"));
}
