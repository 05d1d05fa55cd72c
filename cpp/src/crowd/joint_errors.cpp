// SPDX-License-Identifier: BSD-3-Clause
#include "crowd/joint_errors.hpp"

#include <cmath>
#include <limits>

namespace hrixs::crowd {

namespace {

constexpr std::size_t most_unknowns = 2 * (most_neighbours + 1);
using Matrix = std::array<std::array<double, most_unknowns>, most_unknowns>; // its lower half

// A weak belief that places are right within a pixel or so keeps what is not determined finite.
constexpr double belief = 0.5;

// Variances of the first two unknowns; the others are eliminated before them.
bool first_variances(Matrix& matrix, std::size_t n, double& x, double& y) {
    for (std::size_t k = n - 1; k >= 2; --k) {
        if (!(matrix[k][k] > 0.0))
            return false;
        const double inverse = 1.0 / matrix[k][k];
        for (std::size_t a = 0; a < k; ++a) {
            const double factor = matrix[k][a] * inverse;
            for (std::size_t b = 0; b <= a; ++b)
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

void take_coupling(const Coupling& c, bool is_turned, std::size_t row, std::size_t column,
                   Matrix& matrix) {
    matrix[row][column] = static_cast<double>(c.xx);
    matrix[row][column + 1] = static_cast<double>(is_turned ? c.yx : c.xy);
    matrix[row + 1][column] = static_cast<double>(is_turned ? c.xy : c.yx);
    matrix[row + 1][column + 1] = static_cast<double>(c.yy);
}

} // namespace

PlaceErrors joint_errors(const Equations& equations, const Neighbourhood& neighbourhood,
                         const Group& group) {
    Matrix matrix;
    const auto size = static_cast<std::size_t>(group.size);
    for (std::size_t p = 0; p < size; ++p) {
        const std::int32_t a = group.member[p].photon;
        for (std::size_t q = 0; q < p; ++q) {
            const std::int32_t c = q == 0 ? group.member[p].coupling
                                          : neighbourhood.coupling_of(a, group.member[q].photon);
            if (c == none) {
                matrix[2 * p][2 * q] = matrix[2 * p][2 * q + 1] = 0.0;
                matrix[2 * p + 1][2 * q] = matrix[2 * p + 1][2 * q + 1] = 0.0;
                continue;
            }
            const Coupling& coupling = equations.couplings()[static_cast<std::size_t>(c)];
            take_coupling(coupling, coupling.a != a, 2 * p, 2 * q, matrix);
        }
        const Equation& own = equations.own(static_cast<std::size_t>(a));
        matrix[2 * p][2 * p] = static_cast<double>(own.h_xx) + belief;
        matrix[2 * p + 1][2 * p] = static_cast<double>(own.h_xy);
        matrix[2 * p + 1][2 * p + 1] = static_cast<double>(own.h_yy) + belief;
    }
    double x = 0.0;
    double y = 0.0;
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    if (!first_variances(matrix, 2 * size, x, y))
        return {unknown, unknown};
    return {std::sqrt(x), std::sqrt(y)};
}

} // namespace hrixs::crowd
