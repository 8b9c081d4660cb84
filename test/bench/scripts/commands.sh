i=0
while [ $i -lt 250 ]; do
  $1 true; $1 echo $i > /dev/null; $1 test $i -ge 0; $1 expr $i + 1 > /dev/null
  i=$((i + 1))
done
echo $i
