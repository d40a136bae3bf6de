package dev.quern.chat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's operators on numbers, strings and lists. Integers have 64 bits; beyond is an error. */
final class PyArithmetic {
  private PyArithmetic() {}

  /** Result of {@code + - * / // % **}. */
  static @Nullable Object apply(String operator, @Nullable Object a, @Nullable Object b) {
    if (Py.isNumber(a) && Py.isNumber(b)) {
      return (Py.isFloat(a) || Py.isFloat(b) || operator.equals("/"))
          ? floats(operator, Py.number(a), Py.number(b))
          : integers(operator, Py.integer(a), Py.integer(b));
    }
    if (operator.equals("+") && a instanceof String x && b instanceof String y) {
      Py.requireLength((long) x.length() + y.length());
      return x + y;
    }
    if (operator.equals("+") && a instanceof List<?> x && b instanceof List<?> y) {
      Py.requireLength((long) x.size() + y.size());
      List<@Nullable Object> sum = new ArrayList<>(x);
      sum.addAll(y);
      return a instanceof PyTuple ? new PyTuple(sum) : sum;
    }
    if (operator.equals("*") && a instanceof String text && b instanceof Long n) {
      if (n <= 0 || text.isEmpty()) {
        return "";
      }
      Py.requireLength(n);
      Py.requireLength(n * text.length());
      return text.repeat(n.intValue());
    }
    if (operator.equals("%") && a instanceof String format) {
      return PyFormat.percent(
          format, b instanceof PyTuple t ? t : new PyTuple(Collections.singletonList(b)));
    }
    throw Py.undefinedOr(
        a,
        b,
        "unsupported operands of " + operator + ": '" + Py.type(a) + "' and '" + Py.type(b) + "'");
  }

  private static Object integers(String operator, long a, long b) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(a, b);
        case "-" -> Math.subtractExact(a, b);
        case "*" -> Math.multiplyExact(a, b);
        case "//" -> Math.floorDiv(a, b);
        case "%" -> Math.floorMod(a, b);
        case "**" -> b < 0 ? (Object) Math.pow((double) a, (double) b) : power(a, b);
        default -> throw new PyException("unknown operator " + operator);
      };
    } catch (ArithmeticException e) {
      throw new PyException(a + " " + operator + " " + b + ": " + e.getMessage());
    }
  }

  private static long power(long a, long b) {
    if (b < Long.SIZE) {
      return BigInteger.valueOf(a).pow((int) b).longValueExact();
    }
    if (a < -1 || a > 1) {
      throw new ArithmeticException("the result is out of range");
    }
    return b % 2 == 0 ? a * a : a;
  }

  private static Object floats(String operator, double a, double b) {
    if (b == 0 && "//%".contains(operator)) {
      throw new PyException("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      case "**" -> Math.pow(a, b);
      default -> throw new PyException("unknown operator " + operator);
    };
  }
}
