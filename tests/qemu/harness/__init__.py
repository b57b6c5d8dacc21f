# SPDX-License-Identifier: BSD-3-Clause
"""What the tests are written with: machines, servers, peers, each a small class that ends what it started."""
