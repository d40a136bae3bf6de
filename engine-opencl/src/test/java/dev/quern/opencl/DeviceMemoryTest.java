package dev.quern.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.core.BackendException;
import dev.quern.core.Device;
import dev.quern.opencl.binding.OpenCl;
import dev.quern.opencl.binding.OpenClException;
import dev.quern.opencl.binding.OpenClStatus;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
  private static final long MIB = 1L << 20;

  private final List<Long> created = new ArrayList<>();

  /** A device that has {@code memory} bytes, of which an allocation succeeds up to {@code real}. */
  private DeviceMemory memory(long memory, long limit, long real) {
    OpenCl cl =
        (OpenCl)
            Proxy.newProxyInstance(
                OpenCl.class.getClassLoader(),
                new Class<?>[] {OpenCl.class},
                (proxy, method, arguments) -> {
                  if (!method.getName().equals("createBuffer")) {
                    return null;
                  }
                  if ((long) arguments[2] > real) {
                    throw new OpenClException(
                        "clCreateBuffer()", OpenClStatus.MEM_OBJECT_ALLOCATION_FAILURE);
                  }
                  created.add((long) arguments[2]);
                  return (long) created.size();
                });
    Device info =
        new Device("opencl:0", "d", "v", Device.Kind.GPU, memory, limit, 1, "1", List.of());
    return new DeviceMemory(cl, new ClDevice(0, 1, 1, "", 1, 1, info), 1);
  }

  @Test
  void regionsDoNotOverlapAndAreAligned() {
    DeviceMemory memory = memory(1000 * MIB, 1000 * MIB, 1000 * MIB);
    Region a = memory.allocate("a", 1);
    Region b = memory.allocate("b", 257);
    Region c = memory.allocate("c", 256);
    assertThat(a).isEqualTo(new Region(0, 0, 256));
    assertThat(b).isEqualTo(new Region(0, 256, 512));
    assertThat(c).isEqualTo(new Region(0, 768, 256));
    assertThat(memory.usedBytes()).isEqualTo(1024);
  }

  @Test
  void freedNeighboursBecomeOneRange() {
    DeviceMemory memory = memory(16 * MIB, 16 * MIB, 16 * MIB);
    Region a = memory.allocate("a", 4 * MIB);
    Region b = memory.allocate("b", 4 * MIB);
    Region c = memory.allocate("c", 4 * MIB);
    Region d = memory.allocate("d", 4 * MIB);
    memory.free(a);
    memory.free(c);
    assertThatThrownBy(() -> memory.allocate("e", 8 * MIB)).isInstanceOf(BackendException.class);
    memory.free(b);
    assertThat(memory.allocate("e", 12 * MIB)).isEqualTo(new Region(0, 0, 12 * MIB));
    memory.free(d);
    assertThat(memory.usedBytes()).isEqualTo(12 * MIB);
  }

  @Test
  void arenasGrowUntilTheDeviceIsFull() {
    DeviceMemory memory = memory(2048 * MIB, 512 * MIB, 512 * MIB);
    for (int i = 0; i < 2048; i++) {
      memory.allocate("part", MIB);
    }
    assertThat(created.size()).isLessThanOrEqualTo(DeviceMemory.LEAST_ARENAS);
    assertThat(memory.arenas()).isEqualTo(created.size());
    assertThat(created).allMatch(bytes -> bytes <= 512 * MIB);
    assertThatThrownBy(() -> memory.allocate("one more", MIB))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("one more of 1048576 bytes")
        .hasMessageContaining("--backend opencl+cpu");
  }

  @Test
  void aLargeArenaThatFailsIsTriedSmaller() {
    DeviceMemory memory = memory(1000 * MIB, 1000 * MIB, 2 * MIB);
    assertThat(memory.allocate("a", MIB).arena()).isZero();
    assertThat(created).containsExactly(MIB);
    assertThatThrownBy(() -> memory.allocate("b", 3 * MIB))
        .isInstanceOf(BackendException.class)
        .hasMessageContaining("3145728 bytes of b")
        .hasMessageContaining("CL_MEM_OBJECT_ALLOCATION_FAILURE");
  }
}
