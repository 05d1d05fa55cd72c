// SPDX-License-Identifier: BSD-3-Clause
#include "hrixs/photons.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

using namespace hrixs;

TEST_CASE("photon table: every column grows together") {
    PhotonTable table;
    CHECK(table.size() == 0);
    table.append({3, 1.5, 2.5, 100.0, false});
    table.append({4, 6.5, 7.5, 200.0, true});
    CHECK(table.size() == 2);
    CHECK(table.frame == std::vector<Index>{3, 4});
    CHECK(table.x == std::vector<double>{1.5, 6.5});
    CHECK(table.y == std::vector<double>{2.5, 7.5});
    CHECK(table.charge == std::vector<double>{100.0, 200.0});
    CHECK(table.is_double == std::vector<std::uint8_t>{0, 1});
}

TEST_CASE("photon table: another table comes after") {
    PhotonTable table;
    table.append({0, 1.0, 2.0, 3.0, true});
    PhotonTable other;
    other.append({1, 4.0, 5.0, 6.0, false});
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
    table.append({0, 1.0, 2.0, 3.0, true});
    table.reserve(100);
    CHECK(table.size() == 1);
    table.clear();
    CHECK(table.size() == 0);
    CHECK(table.frame.empty());
    CHECK(table.y.empty());
    CHECK(table.charge.empty());
    CHECK(table.is_double.empty());
}

TEST_CASE("photon table: columns of a fit go along") {
    PhotonTable table;
    table.append({0, 1.0, 2.0, 3.0, false});
    append_row(table.fitted, {0.1, 0.2, 1.1, 0.5, 0.05, 4});
    PhotonTable other;
    other.append({1, 4.0, 5.0, 6.0, false});
    append_row(other.fitted, {0.3, 0.4, 1.2, 0.6, 0.06, 8});
    table.append(other);
    reserve_rows(table.fitted, 100);
    CHECK(table.fitted.sigma_x == std::vector<double>{0.1, 0.3});
    CHECK(table.fitted.sigma_y == std::vector<double>{0.2, 0.4});
    CHECK(table.fitted.chi2 == std::vector<double>{1.1, 1.2});
    CHECK(table.fitted.own_cloud_sigma == std::vector<double>{0.5, 0.6});
    CHECK(table.fitted.own_cloud_sigma_err == std::vector<double>{0.05, 0.06});
    CHECK(table.fitted.flag == std::vector<std::uint8_t>{4, 8});
    table.clear();
    CHECK(table.fitted.sigma_x.empty());
    CHECK(table.fitted.sigma_y.empty());
    CHECK(table.fitted.chi2.empty());
    CHECK(table.fitted.own_cloud_sigma.empty());
    CHECK(table.fitted.own_cloud_sigma_err.empty());
    CHECK(table.fitted.flag.empty());
}

TEST_CASE("photon table: only photons that are to be kept stay, in order") {
    PhotonTable table;
    for (Index k = 0; k < 6; ++k)
        table.append(
            {k, 10.0 + static_cast<double>(k), 20.0, 30.0 * static_cast<double>(k), k % 2 == 0});
    std::vector<std::size_t> asked;
    table.keep_if([&](std::size_t k) {
        asked.push_back(k);
        return k == 1 || k >= 4;
    });
    CHECK(asked == std::vector<std::size_t>{0, 1, 2, 3, 4, 5});
    CHECK(table.frame == std::vector<Index>{1, 4, 5});
    CHECK(table.x == std::vector<double>{11.0, 14.0, 15.0});
    CHECK(table.y == std::vector<double>{20.0, 20.0, 20.0});
    CHECK(table.charge == std::vector<double>{30.0, 120.0, 150.0});
    CHECK(table.is_double == std::vector<std::uint8_t>{0, 1, 0});
    table.keep_if([](std::size_t) { return false; });
    CHECK(table.size() == 0);
    CHECK(table.is_double.empty());
}

TEST_CASE("photon table: no two columns share a name") {
    std::set<std::string> names;
    std::size_t n = 0;
    const auto note = [&](auto, auto, const char* name) {
        names.insert(name);
        ++n;
    };
    HitColumns::for_each_column(note);
    FitColumns::for_each_column(note);
    FrameColumns::for_each_column(note);
    CHECK(names.size() == n);
    CHECK(names.count("double") == 1);
}
