"""Places for ions: by nearest images, apart from the solute, from each other and from those that are there."""

import numpy as np

from gibbsflow.binding.forcefield.given.rebuilt.places import free_places, nearest, with_images

BOX = np.array([[20.0, 0, 0], [5.0, 20.0, 0], [5.0, 5.0, 20.0]])


def test_the_nearest_image_is_one_of_all():
    places = np.random.default_rng(1).uniform(-30, 30, (40, 3))
    found = nearest(places, BOX)
    steps = (found - places) @ np.linalg.inv(BOX)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    assert (np.abs(found) <= np.array([[10, 10, 10]]) + 1e-9).all()
    near = places[:3] % 1.0
    np.testing.assert_allclose(with_images(near, BOX)[:3], near)
    assert len(np.unique(with_images(near, BOX).round(6), axis=0)) == 81


def test_ions_stand_apart_over_the_faces_of_the_box():
    box = np.eye(3) * 20
    places = np.array([[0.5, 0, 0], [19.5, 0, 0], [10, 0, 0], [4.0, 0, 0], [10, 10, 10.0]])
    solute, taken = np.array([[10.0, 3.0, 0]]), np.array([[10.0, 10, 16]])
    assert free_places(places, solute, taken, box, 4, range(5)) == [0, 4]
    assert free_places(places, solute, taken, box, 1, [4, 3, 2]) == [4]
    assert free_places(places, solute, np.empty((0, 3)), box, 5, [1, 3, 4, 0]) == [1, 4]
