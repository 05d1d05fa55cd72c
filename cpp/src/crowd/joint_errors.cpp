// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/joint_errors.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace hrixs::crowd {

namespace {

constexpr int most_unknowns = 2 * (most_neighbours + 1);
using Matrix = std::array<std::array<double, most_unknowns>, most_unknowns>;

// The pixels around a group: windows of 7 pixels whose middles are at most 4 from that of the
// first.
constexpr int side = 2 * tile_size;
constexpr int middle = tile_size;

// Two Lanes of a row of them.
struct Row {
    Lanes left;
    Lanes right;
    static Row load(const float* from) { return {Lanes::load(from), Lanes::load(from + lanes)}; }
    float dot(const Row& other) const { return (left * other.left + right * other.right).sum(); }
};
Row operator*(const Row& a, const Row& b) {
    return {a.left * b.left, a.right * b.right};
}
Row operator*(float a, const Row& b) {
    return {a * b.left, a * b.right};
}
Row operator+(const Row& a, const Row& b) {
    return {a.left + b.left, a.right + b.right};
}

// A photon's shares and slopes, where its window lies among the pixels.
struct Placed {
    int first; // row of its window
    Shares along_x;
    Row share_y;
    Row slope_y;
};

Placed placed(const Photon& photon, const Photon& first, const Profile& profile) {
    Placed result;
    Shares along_y;
    profile.shares(static_cast<float>(photon.x - static_cast<double>(photon.centre_x)),
                   result.along_x);
    profile.shares(static_cast<float>(photon.y - static_cast<double>(photon.centre_y)), along_y);
    result.first = middle + static_cast<int>(photon.centre_x - first.centre_x) - profile.reach();
    const auto column = static_cast<std::size_t>(
        middle + static_cast<int>(photon.centre_y - first.centre_y) - profile.reach());
    const auto size = static_cast<std::size_t>(2 * profile.reach() + 1);
    float row[side] = {};
    std::memcpy(row + column, along_y.share, size * sizeof(float));
    result.share_y = Row::load(row);
    std::memcpy(row + column, along_y.slope, size * sizeof(float));
    result.slope_y = Row::load(row);
    return result;
}

// Weights of the pixels around a photon, in units that make them those of clouds of one photon.
// Rows from `begin` to `end`.
void read_weights(const Canvas& canvas, const Photon& first, Light light, int begin, int end,
                  Row* weights) {
    const Lanes scale = Lanes::of(light.charge * light.charge);
    const Index y0 = first.centre_y - middle;
    const std::int32_t j = Canvas::tile_of(std::max<Index>(y0, -tile_size));
    const int shift = static_cast<int>(y0 - Canvas::first_pixel(j));
    for (int a = begin; a < end; ++a) {
        const Index x = first.centre_x - middle + a;
        const std::int32_t i = Canvas::tile_of(x);
        float row[4 * tile_size];
        std::fill(row, row + 4 * tile_size, never);
        for (std::int32_t k = 0; k < 3; ++k)
            if (const std::int32_t slot = canvas.slot(i, j + k); slot != none)
                std::memcpy(row + (k + 1) * tile_size,
                            canvas.tile(slot).row[x - Canvas::first_pixel(i)].variance,
                            tile_size * sizeof(float));
        const Row variance = Row::load(row + tile_size + shift);
        weights[a] = {scale / variance.left, scale / variance.right};
    }
}

// Variances of the first two unknowns; the others are eliminated before them.
bool first_variances(Matrix& matrix, int n, double& x, double& y) {
    for (int k = n - 1; k >= 2; --k) {
        if (!(matrix[k][k] > 0.0))
            return false;
        for (int a = 0; a < k; ++a) {
            const double factor = matrix[k][a] / matrix[k][k];
            for (int b = 0; b <= a; ++b)
                matrix[a][b] -= factor * matrix[k][b];
        }
    }
    const double det = matrix[0][0] * matrix[1][1] - matrix[1][0] * matrix[1][0];
    if (!(det > 0.0) || !(matrix[0][0] > 0.0))
        return false;
    x = matrix[1][1] / det;
    y = matrix[0][0] / det;
    return true;
}

// Sums over the pixels of the products of two photons' slopes.
void add_products(const Placed& a, const Placed& b, int size, const Row* weights, int at_a,
                  int at_b, Matrix& matrix) {
    const int begin = std::max(a.first, b.first);
    const int end = std::min(a.first, b.first) + size;
    const Row zero{Lanes::of(0.0F), Lanes::of(0.0F)};
    Row slopes = zero;
    Row slope_share = zero;
    Row share_slope = zero;
    Row shares = zero;
    for (int row = begin; row < end; ++row) {
        const float slope_a = a.along_x.slope[row - a.first];
        const float share_a = a.along_x.share[row - a.first];
        const float slope_b = b.along_x.slope[row - b.first];
        const float share_b = b.along_x.share[row - b.first];
        slopes = slopes + slope_a * slope_b * weights[row];
        slope_share = slope_share + slope_a * share_b * weights[row];
        share_slope = share_slope + share_a * slope_b * weights[row];
        shares = shares + share_a * share_b * weights[row];
    }
    matrix[at_a][at_b] = static_cast<double>(slopes.dot(a.share_y * b.share_y));
    matrix[at_a + 1][at_b] = static_cast<double>(share_slope.dot(a.slope_y * b.share_y));
    matrix[at_a + 1][at_b + 1] = static_cast<double>(shares.dot(a.slope_y * b.slope_y));
    if (at_a != at_b)
        matrix[at_a][at_b + 1] = static_cast<double>(slope_share.dot(a.share_y * b.slope_y));
}

} // namespace

Group group_of(const Canvas& canvas, const PhotonList& photons, std::int32_t k, double reach) {
    const Photon& photon = photons[k];
    Group group;
    group.photon[0] = k;
    std::array<double, most_neighbours + 1> distance{};
    photons.for_each_near(canvas, photon.x, photon.y, reach, [&](std::int32_t other) {
        if (other == k)
            return;
        const double d_x = photons[other].x - photon.x;
        const double d_y = photons[other].y - photon.y;
        const double d = d_x * d_x + d_y * d_y;
        if (d >= reach * reach)
            return;
        int at = group.size;
        const auto is_before = [&](int place) {
            return distance[place] != d ? distance[place] < d : group.photon[place] < other;
        };
        while (at > 1 && !is_before(at - 1))
            --at;
        if (at > most_neighbours)
            return;
        group.size = std::min(group.size + 1, most_neighbours + 1);
        for (int place = group.size - 1; place > at; --place) {
            distance[place] = distance[place - 1];
            group.photon[place] = group.photon[place - 1];
        }
        distance[at] = d;
        group.photon[at] = other;
    });
    return group;
}

PlaceErrors joint_errors(const Canvas& canvas, const PhotonList& photons, const Group& group,
                         const Profile& profile, Light light) {
    std::array<Placed, most_neighbours + 1> place;
    const Photon& first = photons[group.photon[0]];
    const int size = 2 * profile.reach() + 1;
    int begin = side;
    int end = 0;
    for (int k = 0; k < group.size; ++k) {
        place[k] = placed(photons[group.photon[k]], first, profile);
        begin = std::min(begin, place[k].first);
        end = std::max(end, place[k].first + size);
    }
    Row weights[side];
    read_weights(canvas, first, light, begin, end, weights);
    // A weak belief that places are right within a pixel or so keeps what can't be told finite.
    constexpr double belief = 0.5;
    Matrix matrix;
    for (int a = 0; a < group.size; ++a) {
        for (int b = 0; b <= a; ++b)
            add_products(place[a], place[b], size, weights, 2 * a, 2 * b, matrix);
        matrix[2 * a][2 * a] += belief;
        matrix[2 * a + 1][2 * a + 1] += belief;
    }
    double x = 0.0;
    double y = 0.0;
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    if (!first_variances(matrix, 2 * group.size, x, y))
        return {unknown, unknown};
    return {std::sqrt(x), std::sqrt(y)};
}

} // namespace hrixs::crowd
