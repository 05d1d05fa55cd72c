// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/photons.hpp"

#include <doctest/doctest.h>

using namespace hrixs;

TEST_CASE("photon table: every column grows together") {
    PhotonTable table;
    CHECK(table.size() == 0);
    table.append(3, 1.5, 2.5, 100.0, false);
    table.append(4, 6.5, 7.5, 200.0, true);
    CHECK(table.size() == 2);
    CHECK(table.frame == std::vector<Index>{3, 4});
    CHECK(table.x == std::vector<double>{1.5, 6.5});
    CHECK(table.y == std::vector<double>{2.5, 7.5});
    CHECK(table.charge == std::vector<double>{100.0, 200.0});
    CHECK(table.is_double == std::vector<std::uint8_t>{0, 1});
}

TEST_CASE("photon table: another table comes after") {
    PhotonTable table;
    table.append(0, 1.0, 2.0, 3.0, true);
    PhotonTable other;
    other.append(1, 4.0, 5.0, 6.0, false);
    table.append(PhotonTable{});
    table.append(other);
    CHECK(table.size() == 2);
    CHECK(table.frame == std::vector<Index>{0, 1});
    CHECK(table.x == std::vector<double>{1.0, 4.0});
    CHECK(table.y == std::vector<double>{2.0, 5.0});
    CHECK(table.charge == std::vector<double>{3.0, 6.0});
    CHECK(table.is_double == std::vector<std::uint8_t>{1, 0});
}

TEST_CASE("photon table: clear empties every column, reserve none") {
    PhotonTable table;
    table.append(0, 1.0, 2.0, 3.0, true);
    table.reserve(100);
    CHECK(table.size() == 1);
    table.clear();
    CHECK(table.size() == 0);
    CHECK(table.frame.empty());
    CHECK(table.y.empty());
    CHECK(table.charge.empty());
    CHECK(table.is_double.empty());
}
