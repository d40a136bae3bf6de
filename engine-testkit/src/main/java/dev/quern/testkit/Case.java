package dev.quern.testkit;

import java.util.function.Consumer;

/**
 * One batch to be compared with the reference.
 *
 * @param name what it is, for the test report; also the seed
 * @param recording records the batch into a scene; called once for each backend
 */
record Case(String name, Consumer<Scene> recording) {}
